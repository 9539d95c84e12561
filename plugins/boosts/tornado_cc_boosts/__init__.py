"""Boosts a player until a moment that an offer service names, in the terms of GameSparks' scripts.

The service signs player and moment. So whoever sends a callback again, or an older one, gets
nothing that was not paid for. `boost` in the player's private data is there as long as it lasts; a
module takes it away.
"""

import time

from tornado_cc import CallbackCall, Field, JobCall, Plugin, Secret, SecretText, Settings
from tornado_cc.gamesparks import Spark


class BoostsSettings(Settings):
    """`[plugin:boosts]`."""

    key: SecretText | None = Field(
        None, description="What the offer service signs with; without it nobody gets a boost."
    )


plugin = Plugin("boosts", settings=BoostsSettings)


@plugin.on_callback(credential="boosts")
def boost_player(call: CallbackCall) -> None:
    """Boost the player in the URL: `?until=SECONDS&signature=HEX`, seconds since 1970."""
    spark = Spark(call)
    data = spark.getData()
    player = spark.getPlayer()
    if player is None:
        spark.setScriptError("player", "UNKNOWN")
        spark.exit()
    player_id = player.getPlayerId()
    if not _is_signed(call, f"{player_id}:{data.until}", data.signature):
        spark.getLog().warn({"wrong signature": player_id})
        spark.setScriptError("signature", "WRONG")
        spark.exit()
    until = int(data.until)
    seconds = until - time.time()
    boost = player.getPrivateData("boost")
    if seconds > 0 and (boost is None or boost.until < until):
        player.setPrivateData("boost", {"until": until})
        scheduler = spark.getScheduler()
        scheduler.inSeconds("END_BOOST", seconds, {"until": until}, "boost-" + player_id)
        spark.getLog().info({"boosted": player_id, "until": until})
    spark.setScriptData("RESPONSE_RAW", "OK")


@plugin.job("END_BOOST")
def end_boost(call: JobCall) -> None:
    """Take the boost away, unless it lasts longer by now."""
    spark = Spark(call)
    player = spark.getPlayer()
    if player is None:
        spark.exit()
    boost = player.getPrivateData("boost")
    if boost is None:
        spark.exit()
    seconds = boost.until - time.time()
    if seconds > 0:
        key = "boost-" + player.getPlayerId()
        spark.getScheduler().inSeconds("END_BOOST", seconds, {"until": boost.until}, key)
        spark.exit()
    player.removePrivateData("boost")
    spark.getLog().info({"boost ended": player.getPlayerId()})


def _is_signed(call: CallbackCall, text: str, signature: object) -> bool:
    """Whether the service has signed it; compared in constant time, as `==` does not."""
    key = call.settings.key
    if not key or not isinstance(signature, str):
        return False
    return Secret(Spark(call).getDigester().hmacSha256Hex(key.reveal(), text)).matches(signature)
