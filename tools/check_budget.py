#!/usr/bin/env python3
"""check_budget.py BUDGET JUNIT...: is each suite within its seconds? JUNIT files are ctest's --output-junit.

A suite without a line in BUDGET, and a report without tests, is a failure: exits 1 with a line for each.
"""
import sys
import xml.etree.ElementTree as tree


def main():
    budget = {}
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            words = line.split("#", 1)[0].split()
            if words:
                budget[words[0]] = float(words[1])
    wrong = False
    for report in sys.argv[2:]:
        spent = {}
        for case in tree.parse(report).getroot().iter("testcase"):
            suite = case.get("name", "").split("/", 1)[0]
            spent[suite] = spent.get(suite, 0.0) + float(case.get("time") or 0)
        if not spent:
            print(f"budget: {report} names no test")
            wrong = True
        for suite, seconds in sorted(spent.items()):
            limit = budget.get(suite)
            verdict = "no budget" if limit is None else "ok" if seconds <= limit else "OVER"
            wrong = wrong or verdict != "ok"
            print(f"budget {suite} {seconds:.1f} s of {limit if limit is not None else '-'} {verdict}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
