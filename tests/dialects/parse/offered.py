"""What the hooks of the next call return, raise or leave behind: the test sets it beforehand."""

value: object = None
