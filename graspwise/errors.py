"""The one error a user can cause: a file, field or option that is not valid."""


class InputError(ValueError):
    """Bad input from outside: the message is one line that names what was given, what was found and what is valid.

    The command line prints it and exits with code 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
