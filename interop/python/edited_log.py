"""Changes a copy of an audit log by SQL, as an intruder with the run of the database would.

usage: edited_log.py edit|remove|reorder|cut COPY-OF-DATABASE
prints {"entry": the first entry that is not as it was}
"""

import json
import sqlite3
import sys

COLUMNS = "time, event, operation, subject, details, salt, previous, entry"


def edit(database, last):
    """Another name in an entry that names somebody."""
    row = database.execute("SELECT max(sequence) FROM audit_entry WHERE subject IS NOT NULL AND sequence < ?", (last,))
    (victim,) = row.fetchone()
    database.execute("UPDATE audit_entry SET subject = 'mallory' WHERE sequence = ?", (victim,))
    return victim


def remove(database, last):
    """One entry less, in the middle."""
    victim = last // 2
    database.execute("DELETE FROM audit_entry WHERE sequence = ?", (victim,))
    return victim


def reorder(database, last):
    """Two neighbours in each other's place."""
    first = last // 2
    one, two = (
        database.execute(f"SELECT {COLUMNS} FROM audit_entry WHERE sequence = ?", (sequence,)).fetchone()
        for sequence in (first, first + 1)
    )
    change = "UPDATE audit_entry SET " + COLUMNS.replace(",", " = ?,") + " = ? WHERE sequence = ?"
    database.execute(change, (*two, first))
    database.execute(change, (*one, first + 1))
    return first


def cut(database, last):
    """The newest entries gone, and every checkpoint that knew of them."""
    first = last - 1
    database.execute("DELETE FROM audit_entry WHERE sequence >= ?", (first,))
    database.execute("DELETE FROM audit_checkpoint WHERE sequence >= ?", (first,))
    return first


def main():
    change = {"edit": edit, "remove": remove, "reorder": reorder, "cut": cut}[sys.argv[1]]
    with sqlite3.connect(sys.argv[2]) as database:
        (last,) = database.execute("SELECT max(sequence) FROM audit_entry").fetchone()
        print(json.dumps({"entry": change(database, last)}))


main()
