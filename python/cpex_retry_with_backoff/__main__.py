"""`python -m cpex_retry_with_backoff` is the command cpex-retry."""

from .cli import main

if __name__ == "__main__":
    main(prog_name="cpex-retry")
