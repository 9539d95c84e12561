"""A function for the master key only: `chargeCustomer`."""

from tornado_cc import FunctionCall, Plugin, Refusal

plugin = Plugin("billing")


@plugin.cloud_function("chargeCustomer")
async def charge_customer(call: FunctionCall) -> str:
    """Bill the user that `userObjectId` names. The bill is a line in the log."""
    if not call.master:
        # Who may not call it does not learn that it exists.
        raise Refusal("Unknown function", log="chargeCustomer was called without the master key")
    user_id = call.params.get("userObjectId")
    if not (isinstance(user_id, str) and user_id):
        raise Refusal("chargeCustomer needs userObjectId: the objectId of the user to bill")
    call.log.info("user billed", extra={"user_object_id": user_id})
    return "User billed!"
