"""The newest schema as SQLite is told it, made from `bellwire.ledger.schema`.

`python -m tests.newest_schema` writes it anew.
"""

from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from bellwire.ledger.making import NEWEST
from bellwire.ledger.schema import metadata


def newest() -> str:
    """Statements that end in a semicolon and a line break each."""
    made: list[ExecutableDDLElement] = []
    for table in metadata.sorted_tables:
        made.append(CreateTable(table))
        made += [CreateIndex(index) for index in sorted(table.indexes, key=lambda index: str(index.name))]
    told = (str(each.compile(dialect=dialect())).strip() for each in made)
    return "".join("\n".join(line.rstrip() for line in each.splitlines()) + ";\n" for each in told)


if __name__ == "__main__":
    NEWEST.write_text(newest(), "utf-8")
