#!/usr/bin/env python3
"""readme.py [--check] - puts the text of bench/loops.c into bench/README.md, between its two marks.

--check changes nothing and exits 1 when the two differ.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BEGIN, END = "<!-- loops -->\n", "<!-- end of loops -->\n"


def main():
    readme = os.path.join(HERE, "README.md")
    with open(os.path.join(HERE, "loops.c"), encoding="utf-8") as source:
        loops = source.read()
    with open(readme, encoding="utf-8") as page:
        old = page.read()
    head, rest = old.split(BEGIN)
    _, tail = rest.split(END)
    new = f"{head}{BEGIN}\n```c\n{loops}```\n\n{END}{tail}"
    if "--check" in sys.argv[1:]:
        if new != old:
            print("bench/README.md does not print bench/loops.c as it is: run bench/readme.py")
            sys.exit(1)
        print("bench/README.md prints bench/loops.c as it is")
    elif new != old:
        with open(readme, "w", encoding="utf-8") as page:
            page.write(new)


if __name__ == "__main__":
    main()
