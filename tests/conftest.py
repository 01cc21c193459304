"""What all tests share."""

import os

import structlog

# Nothing of the machine's own set-up may reach a test.
for name in [name for name in os.environ if name.startswith(("BELLWIRE_", "OTEL_"))]:
    del os.environ[name]

# As the program's own logs: with all local variables in it, a traceback takes seconds to write.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)
