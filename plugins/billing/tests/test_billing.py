"""chargeCustomer, called as a Parse Server calls it."""

from typing import Any

import pytest

from tests.serving import Serve

CHARGE: dict[str, Any] = {
    "functionName": "chargeCustomer",
    "params": {"userObjectId": "6eaI2sTgH6"},
    "master": True,
}


async def test_the_master_key_bills_the_named_user(serve: Serve) -> None:
    served = await serve(enable="billing")
    assert await served.webhook("", CHARGE) == {"success": "User billed!"}
    (bill,) = served.logged("user billed")
    assert vars(bill)["user_object_id"] == "6eaI2sTgH6"


@pytest.mark.parametrize("master", [False, None, 1, "true"])
async def test_anybody_else_is_told_that_there_is_no_such_function(
    serve: Serve, master: object
) -> None:
    served = await serve(enable="billing")
    answer = await served.webhook("", {**CHARGE, "master": master})
    assert answer == {"error": "Unknown function"}
    assert served.logged("user billed") == []


@pytest.mark.parametrize("params", [{}, {"userObjectId": ""}, {"userObjectId": {"id": "x"}}])
async def test_a_call_that_names_no_user_is_refused_with_what_is_missing(
    serve: Serve, params: dict[str, object]
) -> None:
    served = await serve(enable="billing")
    answer = await served.webhook("", {**CHARGE, "params": params})
    assert answer == {
        "error": "chargeCustomer needs userObjectId: the objectId of the user to bill"
    }
    assert served.logged("user billed") == []
