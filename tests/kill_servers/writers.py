"""Writers at work on a server's tables while these are copied, and the ledger of what they committed.

Each transaction counts up the one row of `clock` as its last act, so that the order of commits is known:
a copy that holds the clock at n must hold what the first n transactions left, no more and no less. And
every transaction moves amounts about, within a table and between the two, so that the sum of all of
them never changes."""

import random
import subprocess
import threading
import time
from collections import Counter

TABLES = ("lines_a", "lines_b")
CLOCK = "clock"
COLUMNS = ("l_orderkey", "l_linenumber", "l_quantity", "l_shipdate", "l_comment")
# Every second order belongs to one of the writers; the others are touched by nobody.
SPACING = 4
AMOUNT = 100


class Refused(Exception):
    """The server answered a statement with an error."""


class Gone(Exception):
    """The session has ended."""


class Session:
    """The mariadb client, kept open: statements in, rows out."""

    def __init__(self, server):
        self._client = subprocess.Popen([*server.client(), "--unbuffered", "--force", "--skip-reconnect"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._count = 0

    def run(self, *statements):
        self._count += 1
        end = f"end of {self._count}"
        try:
            self._client.stdin.write((";\n".join(statements) + f";\nSELECT '{end}';\n").encode())
            self._client.stdin.flush()
        except OSError as error:
            raise Gone(str(error)) from None
        rows, errors = [], []
        for line in self._client.stdout:
            line = line.decode().rstrip("\n")
            if line == end:
                if errors:
                    raise Refused("\n".join(errors))
                return rows
            if line.startswith("ERROR "):
                errors.append(line)
            rows.append(line.split("\t"))
        raise Gone("\n".join(errors))

    def close(self):
        self._client.stdin.close()
        self._client.stdout.read()
        self._client.stdout.close()
        self._client.wait()


class Ledger:
    """What was there at first, and what each transaction changed, by the clock."""

    def __init__(self, first):
        self._first = first  # table -> key -> row, as text
        self._changes = []  # (clock, [(table, key, row or None)])
        self._lock = threading.Lock()

    def add(self, clock, changes):
        with self._lock:
            self._changes.append((clock, changes))

    def _ordered(self, upto):
        with self._lock:
            ordered = sorted(each for each in self._changes if each[0] <= upto)
        clocks = [clock for clock, _ in ordered]
        assert clocks == list(range(1, upto + 1)), "the clock is not the order of commits"
        return ordered

    def at(self, clock):
        """table -> key -> row after so many transactions."""
        tables = {table: dict(rows) for table, rows in self._first.items()}
        for _, changes in self._ordered(clock):
            for table, key, row in changes:
                if row is None:
                    del tables[table][key]
                else:
                    tables[table][key] = row
        return tables

    def between(self, first, last):
        """table -> (the rows that were there at any time from clock `first` to `last`, the keys that
        were there all the time)."""
        rows = {table: set(now.values()) for table, now in self.at(first).items()}
        keys = {table: set(now) for table, now in self.at(first).items()}
        for clock, changes in self._ordered(last):
            for table, key, row in changes if clock > first else ():
                if row is None:
                    keys[table].discard(key)
                else:
                    rows[table].add(row)
        return {table: (rows[table], keys[table]) for table in rows}


def row_of(key, quantity, comment):
    day = f"199{key[0] % 8}-{key[0] % 12 + 1:02}-{key[1] % 28 + 1:02}"
    return (str(key[0]), str(key[1]), f"{quantity // 100}.{quantity % 100:02}", day, comment)


class Writer(threading.Thread):
    """Does one transaction after the other with rows that no other writer touches."""

    def __init__(self, writers, number, rows, seed):
        super().__init__(daemon=True)
        self.writers, self.number, self.rows = writers, number, rows  # table -> key -> (quantity, comment)
        self.chance = random.Random(seed)
        self.beyond = writers.orders * SPACING
        self.failure = None
        self.kinds = Counter()

    def run(self):
        try:
            session = Session(self.writers.server)
            while not self.writers.stopped.is_set():
                with self.writers.gate[self.number]:
                    self.transaction(session)
                # Waiting for the gate is not fair: whoever wants it shut gets his turn here.
                time.sleep(self.chance.uniform(0.001, 0.01))
            session.close()
        except Exception as error:
            self.failure = error

    def transaction(self, session):
        kind = self.chance.choices(("short", "long", "rolled back"), (12, 1, 2))[0]
        self.kinds[kind] += 1
        rows = {table: dict(known) for table, known in self.rows.items()}
        statements, changes = [], []
        for _ in range(self.chance.randint(1, 4)):
            act = self.chance.choice((self.update, self.update, self.delete, self.insert, self.change_key))
            act(rows, statements, changes, "never" if kind == "rolled back" else f"{kind} {self.chance.random()}")
            if kind == "long":
                statements.append("DO SLEEP(0.15)")
        if kind == "rolled back":
            session.run("BEGIN", *statements, "ROLLBACK")
            return
        clock = session.run("BEGIN", *statements, f"UPDATE {CLOCK} SET n = LAST_INSERT_ID(n + 1)",
                            "SELECT LAST_INSERT_ID()", "COMMIT")[-1][0]
        self.rows = rows
        self.writers.ledger.add(int(clock), changes)

    def pick(self, rows):
        table = self.chance.choice(TABLES)
        return table, self.chance.choice(list(rows[table]))

    def free_key(self, rows, table):
        """Between others, or beyond all of them."""
        if self.chance.random() < 0.2:
            self.beyond += SPACING * 100
            return (self.beyond + self.number, 1)
        order = self.chance.randrange(self.number, self.writers.orders, 2 * self.writers.count)
        key = (order * SPACING + self.chance.randrange(SPACING), self.chance.randint(1, 6))
        return key if key not in rows[table] else self.free_key(rows, table)

    @staticmethod
    def put(rows, statements, changes, table, key, row):
        rows[table][key] = row
        changes.append((table, key, row_of(key, *row)))
        orderkey, linenumber, quantity, day, comment = row_of(key, *row)
        statements.append(f"INSERT INTO {table} VALUES ({orderkey}, {linenumber}, {quantity}, '{day}', '{comment}')"
                          f" ON DUPLICATE KEY UPDATE l_quantity = {quantity}, l_comment = '{comment}'")

    @staticmethod
    def remove(rows, statements, changes, table, key):
        changes.append((table, key, None))
        statements.append(f"DELETE FROM {table} WHERE l_orderkey = {key[0]} AND l_linenumber = {key[1]}")
        return rows[table].pop(key)[0]

    def give(self, rows, statements, changes, amount, comment):
        """To any row, of either table."""
        table, key = self.pick(rows)
        self.put(rows, statements, changes, table, key, (rows[table][key][0] + amount, comment))

    def update(self, rows, statements, changes, comment):
        table, key = self.pick(rows)
        amount = self.chance.randint(0, rows[table][key][0])
        self.put(rows, statements, changes, table, key, (rows[table][key][0] - amount, comment))
        self.give(rows, statements, changes, amount, comment)

    def delete(self, rows, statements, changes, comment):
        table, key = self.pick(rows)
        if len(rows[table]) < 10:
            return
        self.give(rows, statements, changes, self.remove(rows, statements, changes, table, key), comment)

    def insert(self, rows, statements, changes, comment):
        table = self.chance.choice(TABLES)
        self.put(rows, statements, changes, table, self.free_key(rows, table), (0, comment))
        self.update(rows, statements, changes, comment)

    def change_key(self, rows, statements, changes, comment):
        table, key = self.pick(rows)
        to = self.free_key(rows, table)
        quantity = rows[table].pop(key)[0]
        rows[table][to] = (quantity, comment)
        _, _, _, day, _ = row_of(to, quantity, comment)
        statements.append(f"UPDATE {table} SET l_orderkey = {to[0]}, l_linenumber = {to[1]}, l_shipdate = '{day}', "
                          f"l_comment = '{comment}' WHERE l_orderkey = {key[0]} AND l_linenumber = {key[1]}")
        changes += [(table, key, None), (table, to, row_of(to, quantity, comment))]


class Writers:
    """Makes the tables, of `orders` orders of two lines each, and works on them until it is left."""

    def __init__(self, server, orders=1000, count=3, seed=1):
        self.server, self.orders, self.count = server, orders, count
        self.stopped = threading.Event()
        self.gate = [threading.Lock() for _ in range(count)]
        of_writer = [{table: {} for table in TABLES} for _ in range(count)]
        first = {table: {} for table in TABLES}
        server.sql(f"CREATE TABLE {CLOCK} (id INT PRIMARY KEY, n BIGINT NOT NULL); INSERT INTO {CLOCK} VALUES (1, 0);")
        for table in TABLES:
            for order in range(orders):
                for line in (1, 2):
                    key, row = (order * SPACING, line), (AMOUNT, f"{table} at first")
                    first[table][key] = row_of(key, *row)
                    if order % (2 * count) < count:
                        of_writer[order % (2 * count)][table][key] = row
            values = ", ".join(f"({a}, {b}, {c}, '{d}', '{e}')" for a, b, c, d, e in first[table].values())
            server.sql(f"""CREATE TABLE {table} (l_orderkey BIGINT NOT NULL, l_linenumber INT NOT NULL,
                           l_quantity DECIMAL(15,2) NOT NULL, l_shipdate DATE NOT NULL, l_comment VARCHAR(120) NOT NULL,
                           PRIMARY KEY (l_orderkey, l_linenumber)); INSERT INTO {table} VALUES {values};""")
        self.total = AMOUNT * 2 * orders * len(TABLES)
        self.ledger = Ledger(first)
        self._writers = [Writer(self, n, of_writer[n], seed + n) for n in range(count)]

    def __enter__(self):
        for writer in self._writers:
            writer.start()
        return self

    def __exit__(self, *error):
        self.stopped.set()
        for writer in self._writers:
            writer.join()
        if error[0] is None:
            self.check()

    def check(self):
        failures = [writer.failure for writer in self._writers if writer.failure]
        assert not failures, failures

    def kinds(self):
        """How many transactions of each kind there were."""
        return sum((writer.kinds for writer in self._writers), Counter())

    def clock(self):
        """How many transactions have been committed, all of them in the ledger."""
        for gate in self.gate:
            gate.acquire()
        try:
            self.check()
            return int(self.server.sql(f"SELECT n FROM {CLOCK}")[0][0])
        finally:
            for gate in self.gate:
                gate.release()
