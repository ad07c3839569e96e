"""Distinct titles of plain words with a class each, for measurements of many rows: titles.py COUNT FILE.csv"""
import csv
import random
import sys

WORDS = """art back body book business car case child city company country day door end eye face fact family father
force friend game girl government group guy hand head health history home hour house idea information issue job kid
kind law level life line lot man member minute moment money month morning mother name night number office others
parent part party people person place point power president problem program question reason research result right
room school service side state story student study system teacher team thing time war water way week woman word work
world year""".split()

count, path = int(sys.argv[1]), sys.argv[2]
random.seed(1)
seen = set()
with open(path, "w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["title", "genre"])
    while len(seen) < count:
        words = (random.choice(WORDS) for _ in range(random.choice([2, 3, 4, 4, 5, 5, 6, 7, 8])))
        title = " ".join(words) + random.choice(["", "", " (Remix)", " - Live"])
        if title not in seen:
            seen.add(title)
            rows.writerow([title, random.choice("ab")])
