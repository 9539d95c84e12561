"""A resource with every method, and one with none."""

from typing import Any

from tornado_cc import Plugin
from tornado_cc.skygear import RestfulResource

plugin = Plugin("notes")


@plugin.rest("/notes")
class Notes(RestfulResource):
    def index(self) -> list[str]:
        return ["index"]

    def create(self) -> list[Any]:
        return ["create", self.get_payload()]

    async def get(self, resource_id: str) -> list[str]:
        return ["get", resource_id]

    def update(self, resource_id: str) -> list[Any]:
        return ["update", resource_id, self.get_payload()]

    def delete(self, resource_id: str) -> list[str]:
        return ["delete", resource_id]


@plugin.rest("bare")
class Bare(RestfulResource):
    pass
