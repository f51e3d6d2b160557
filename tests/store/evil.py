"""Texts that would be more than text where a store took them for a part of its statements."""


def evil(table, longest):
    return [
        f"'; DROP TABLE {table}; --",
        '" OR 1=1 --',
        "%s %(x)s :name ? $1",
        "\x1b[2J\x07 bell",
        "a\0b",
        "half \ud800 a character",
        "\u202eright to left",
        "x" * longest,
        "🐛" * 500,
        "\\",
        "{}[]\"'`",
    ]
