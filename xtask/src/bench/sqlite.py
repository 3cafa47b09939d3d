"""SQLite as a log of records, in WAL mode, durable at every commit.

sqlite.py stream DB BATCH   every line of stdin a row, a transaction for each BATCH; prints seconds
sqlite.py serve DB          a transaction for each line on stdin, and an acknowledgement on stdout
"""

import sqlite3
import sys
import time

mode, path = sys.argv[1:3]
db = sqlite3.connect(path, isolation_level=None, timeout=120)
for attempt in range(100):
    try:
        db.execute("PRAGMA journal_mode=WAL")
        break
    except sqlite3.OperationalError:  # another process is doing the same
        time.sleep(0.05)
db.execute("PRAGMA synchronous=FULL")
db.execute("CREATE TABLE IF NOT EXISTS records (seq INTEGER PRIMARY KEY, line TEXT NOT NULL)")
INSERT = "INSERT INTO records (line) VALUES (?)"

if mode == "stream":
    size = int(sys.argv[3])
    rows = [(line,) for line in sys.stdin]
    begin = time.perf_counter()
    for at in range(0, len(rows), size):
        db.execute("BEGIN IMMEDIATE")
        db.executemany(INSERT, rows[at : at + size])
        db.execute("COMMIT")
    print(time.perf_counter() - begin)
else:
    for line in iter(sys.stdin.readline, ""):
        db.execute(INSERT, (line,))
        sys.stdout.write(line)
        sys.stdout.flush()
