#!/usr/bin/env python3
"""test_town.py TOWN - is the demo's town a town? Runs the generator and looks at what it wrote."""
import csv
import os
import subprocess
import sys
import tempfile


def made(town, folder, people, seed):
    os.makedirs(folder)
    subprocess.run([town, "--people", str(people), "--seed", str(seed), "--out", folder], check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(folder, "people.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    with open(os.path.join(folder, "friends.txt"), encoding="utf-8") as file:
        friends = [line.split() for line in file if not line.startswith("#")]
    return rows, friends


def main():
    town = sys.argv[1]
    with tempfile.TemporaryDirectory() as work:
        rows, friends = made(town, os.path.join(work, "one"), 10000, 1)
        assert (rows, friends) == made(town, os.path.join(work, "two"), 10000, 1), "the same seed gave another town"
        assert friends != made(town, os.path.join(work, "three"), 10000, 2)[1], "another seed gave the same town"
        for people in (1, 2, 5):
            assert len(made(town, os.path.join(work, f"small{people}"), people, 1)[0]) == people + 1
        for wrong in ([], ["--people", "0", "--out", work], ["--people", "-1", "--out", work], ["--out"], ["--what", "1"]):
            assert subprocess.run([town, *wrong], stderr=subprocess.DEVNULL).returncode == 2, wrong
        assert subprocess.run([town, "--out", work + "/nowhere"], stderr=subprocess.DEVNULL).returncode == 1

    assert rows[0] == ["id", "name:string", "city:string", "employer:string", "born:integer"], rows[0]
    assert [row[0] for row in rows[1:]] == [str(i) for i in range(10000)]
    assert all(len(row) == 5 and all(row) for row in rows)

    near = [set() for _ in range(10000)]
    for a, b, weight in friends:
        a, b = int(a), int(b)
        assert a != b and b not in near[a], f"{a} and {b}: not two people, or twice"
        assert 0 < float(weight) < 1
        near[a].add(b)
        near[b].add(a)
    assert 50000 < len(friends) < 100000, len(friends)

    seen, wave = {0}, [0]
    while wave:
        wave = [b for a in wave for b in near[a] if b not in seen and not seen.add(b)]
    assert len(seen) == 10000, "the town falls into parts: the demo's shortest path may not exist"

    wedges = sum(len(n) * (len(n) - 1) // 2 for n in near)
    closed = sum(len(near[a] & near[b]) for a in range(10000) for b in near[a] if b > a)
    assert closed / wedges > 0.1, f"friends of friends rarely meet: {closed / wedges:.3f}"
    print(f"{len(friends)} friendships, clustering {closed / wedges:.3f}, largest circle {max(map(len, near))}")


main()
