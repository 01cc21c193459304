"""How long a connection waits for its vendor's answers."""

import asyncio
from types import TracebackType


class Patience:
    """Ends with a TimeoutError what takes longer than `seconds`. One timer serves all that wait: nearly all of them
    are done long before it fires, and a timer for each would cost as much as sending the request.

        with patience.wait():
            await answer()
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: dict[Wait, None] = {}
        """In the order of their deadlines, which is that in which they began."""
        self._timer: asyncio.TimerHandle | None = None

    def wait(self) -> "Wait":
        return Wait(self)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self, wait: "Wait") -> None:
        loop = asyncio.get_running_loop()
        wait.until = loop.time() + self._seconds
        self._waiting[wait] = None
        if self._timer is None:
            self._timer = loop.call_at(wait.until, self._look)

    def _end(self, wait: "Wait") -> None:
        del self._waiting[wait]

    def _look(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        for wait in self._waiting:
            if wait.until > now:
                self._timer = loop.call_at(wait.until, self._look)
                return
            wait.give_up()


class Wait:
    """One wait of a task, as a context manager."""

    __slots__ = ("_cancelling", "_late", "_patience", "_task", "until")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._late = False
        self.until = 0.0

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "only a task can wait"
        self._task, self._cancelling = task, task.cancelling()
        self._patience._begin(self)  # noqa: SLF001 - the two are one

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._patience._end(self)  # noqa: SLF001
        # Somebody else may have cancelled the task as well: then it stays cancelled.
        if self._late and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def give_up(self) -> None:
        if not self._late:
            self._late = True
            self._task.cancel()
