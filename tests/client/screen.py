"""What a terminal of a fixed size shows: the part of its language that the client speaks, without colours."""

import codecs
import re
import unicodedata

TOKEN = re.compile(
    r"\x1b\[(?P<private>[<-?]?)(?P<numbers>[\d;:]*)[ -/]*(?P<verb>[@-~])"
    r"|\x1b\](?:[^\x07\x1b])*(?:\x07|\x1b\\)"  # a title, a link
    r"|\x1b[P_^X][^\x1b]*\x1b\\"
    r"|\x1b[()#].|\x1b[^\[\]P_^X()#]"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f])"
    r"|(?P<text>[^\x00-\x1f\x7f]+)",
    re.S,
)


class Screen:
    def __init__(self, width, height):
        self.width, self.height = width, height
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._row = self._column = self._top = 0
        self._bottom = height
        self._cells = [self._blank() for _ in range(height)]

    @property
    def lines(self):
        return ["".join(cells).replace("\xa0", " ").rstrip() for cells in self._cells]

    def feed(self, data):
        written = self._rest + self._decode(data)
        at = 0
        while token := TOKEN.match(written, at):
            at = token.end()
            if token["text"]:
                self._write(token["text"])
            elif token["control"]:
                self._control(token["control"])
            elif token["verb"] and not token["private"]:
                numbers = [int(number or 0) for number in token["numbers"].replace(":", ";").split(";")]
                self._command(token["verb"], numbers)
        self._rest = written[at:]

    def _blank(self):
        return [" "] * self.width

    def _write(self, text):
        for letter in text:
            if unicodedata.combining(letter):
                continue
            cells = ["", letter] if unicodedata.east_asian_width(letter) in "WF" else [letter]
            if self._column + len(cells) > self.width:
                self._column = 0
                self._line_feed()
            for cell in reversed(cells):
                self._cells[self._row][self._column] = cell
                self._column += 1

    def _control(self, letter):
        if letter == "\r":
            self._column = 0
        elif letter == "\n":
            self._line_feed()
        elif letter == "\b":
            self._column = max(self._column - 1, 0)
        elif letter == "\t":
            self._column = min(self._column // 8 * 8 + 8, self.width - 1)

    def _line_feed(self):
        if self._row == self._bottom - 1:
            self._scroll(self._top, 1)
        else:
            self._row = min(self._row + 1, self.height - 1)

    def _scroll(self, top, count):
        """Up, or down where `count` is negative: the lines from `top` to the bottom margin."""
        size = self._bottom - top
        kept = self._cells[top : self._bottom]
        blank = [self._blank() for _ in range(min(abs(count), size))]
        self._cells[top : self._bottom] = kept[count:] + blank if count > 0 else blank + kept[: size + count]

    def _command(self, verb, numbers):
        first = max(numbers[0], 1)
        match verb:
            case "A" | "F":
                self._go(self._row - first, 0 if verb == "F" else self._column)
            case "B" | "E":
                self._go(self._row + first, 0 if verb == "E" else self._column)
            case "C":
                self._go(self._row, self._column + first)
            case "D":
                self._go(self._row, self._column - first)
            case "G":
                self._go(self._row, first - 1)
            case "d":
                self._go(first - 1, self._column)
            case "H" | "f":
                self._go(first - 1, max(numbers[1], 1) - 1 if len(numbers) > 1 else 0)
            case "r":
                self._top, self._bottom = first - 1, numbers[1] if len(numbers) > 1 else self.height
            case "S" | "T":
                self._scroll(self._top, first if verb == "S" else -first)
            case "L" | "M":
                self._scroll(self._row, first if verb == "M" else -first)
            case "J" | "K" | "X":
                self._erase(verb, numbers[0])

    def _go(self, row, column):
        self._row = min(max(row, 0), self.height - 1)
        self._column = min(max(column, 0), self.width - 1)

    def _erase(self, verb, number):
        line, column = self._cells[self._row], self._column
        if verb == "X":
            end = min(column + max(number, 1), self.width)
            line[column:end] = [" "] * (end - column)
            return
        start, end = ((column, self.width), (0, column + 1), (0, self.width))[min(number, 2)]
        line[start:end] = [" "] * (end - start)
        if verb == "J":
            others = (range(self._row + 1, self.height), range(self._row), range(self.height))[min(number, 2)]
            for row in others:
                self._cells[row] = self._blank()
