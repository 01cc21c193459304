"""What all tests share."""

import os

# Nothing of the machine's own set-up may reach a test.
for name in [name for name in os.environ if name.startswith(("BELLWIRE_", "OTEL_"))]:
    del os.environ[name]
