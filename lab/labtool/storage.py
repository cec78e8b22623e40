"""The contents of dpiui2's storage directory (Laravel's `storage/`) on a lab node."""

import random
from pathlib import Path


def fill_primary(storage: Path) -> None:
    """As one finds it on a server in use: many small files, a big one, awkward names."""
    dice = random.Random(2025)  # the same bytes every time, so that checksums can be compared
    _write(storage / "app/exports/traffic dump 2024.bin", dice.randbytes(2_500_000))
    _write(storage / "app/public/logo.png", b"\x89PNG\r\n\x1a\n" + dice.randbytes(40_000))
    for number in range(12):
        _write(storage / f"app/reports/Отчёт за {number + 1} месяц.csv", _csv(dice, 300))
        _write(
            storage / f"framework/cache/data/{number:02x}/{dice.randbytes(20).hex()}",
            dice.randbytes(900),
        )
        _write(
            storage / f"framework/sessions/{dice.randbytes(20).hex()}",
            b'a:1:{s:6:"_token";s:4:"none";}',
        )
    for day in range(1, 8):
        _write(storage / f"logs/laravel-2025-06-{day:02}.log", _log(day).encode())
    _write(storage / "app/uploads/Договор № 15 (копия).txt", "Договор об оказании услуг\n".encode())
    _write(storage / 'app/uploads/it\'s a "quoted" name.txt', b"quotes\n")
    _fill_fresh(storage)


def fill_replica(storage: Path) -> None:
    """As a fresh installation leaves it, and one local file that mounting the volume hides."""
    _fill_fresh(storage)
    _write(storage / "app/only on this server.txt", b"hidden once the volume is mounted\n")


def _fill_fresh(storage: Path) -> None:
    _write(storage / "app/.gitignore", b"*\n")
    _write(storage / "logs/.gitignore", b"*\n")
    for name in ("cache/data", "sessions", "views"):
        (storage / "framework" / name).mkdir(parents=True, exist_ok=True)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _csv(dice: random.Random, rows: int) -> bytes:
    lines = (f"{row};абонент {row};{dice.randrange(10**9)}\n" for row in range(rows))
    return "".join(lines).encode()


def _log(day: int) -> str:
    return "".join(
        f"[2025-06-{day:02} 03:{minute:02}:00] production.INFO: sync finished\n"
        for minute in range(60)
    )


FILL = {"primary": fill_primary, "replica": fill_replica}
