"""When schedules are due. Every process works it out for itself, and comes to the same."""

from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

from tornado_cc.hooks.schedules import Every

_SECOND = timedelta(seconds=1)


class Never(ValueError):
    """An expression cannot be understood, or names a time that does not come."""


class DueTimes:
    """The times at which a schedule is due, as moments: milliseconds since 1970.

    Those before and after the moment that was asked about last are kept: whoever asks does so every
    second, and most of what is asked about is due far more seldom.

    Raises:
        Never: it is never due.
    """

    def __init__(self, every: Every, moment: int) -> None:
        self._every = every
        self._latest, self._next = self._around(moment)

    def latest(self, moment: int) -> int:
        """The last time it was due, at this moment or before."""
        self._look(moment)
        return self._latest

    def following(self, moment: int) -> int:
        """The first time it is due after this moment."""
        self._look(moment)
        return self._next

    def _look(self, moment: int) -> None:
        if not self._latest <= moment < self._next:
            self._latest, self._next = self._around(moment)

    def _around(self, moment: int) -> tuple[int, int]:
        if self._every.interval:
            latest = moment - moment % self._every.interval
            return latest, latest + self._every.interval
        return _cron(self._every.cron, moment)


def _cron(expression: str, moment: int) -> tuple[int, int]:
    second = datetime.fromtimestamp(moment // 1000, UTC)
    try:
        # Backwards from the next second, or a time that is right now would be left out.
        latest = next(CronSim(expression, second + _SECOND, reverse=True))
        following = next(CronSim(expression, second))
    except CronSimError as error:
        raise Never(str(error)) from None
    except StopIteration:
        raise Never("no such day comes in fifty years") from None
    return _moment(latest), _moment(following)


def _moment(time: datetime) -> int:
    return int(time.timestamp()) * 1000
