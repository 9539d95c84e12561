"""Promising what a hook puts off: in the outbox at once, or with the object about to be stored."""

from collections.abc import Callable

from tornado_cc.core.call import Call
from tornado_cc.store import Store
from tornado_cc.store.lanes import Wanted


async def promise(
    store: Store, wake: Callable[[], None], origin: Call | None, wanted: Wanted
) -> None:
    """Have it in the database before this returns, and have somebody look what is due.

    While an object is about to be stored it is only put beside it, to be stored with it.

    Args:
        wake: tells this worker and others that something may be due.
        origin: the call whose hook puts it off; None for one that starts or stops.

    Raises:
        StoreUnavailable: it cannot be promised.
    """
    if origin is not None and origin.pending is not None:
        origin.pending.append(wanted)
        return
    await store.outbox.add([wanted], None if origin is None else origin.record)
    wake()
