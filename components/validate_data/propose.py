"""Propose a TFDV schema for a corpus: the given one, changed so that the corpus is valid, or one inferred from the corpus.

Prints `{"schema": text, "changes": [lines], "anomalies": [lines]}`. `robo-poet data schema` runs this program in the environment of TFDV.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.validate_data.corpus_statistics import measure
from components.validate_data.schema import CURATED, TfdvStatistics, anomalies, read_schema, tfdv
from components.validate_data.schema_changes import schema_changes
from robo_poet.corpus.parquet import read_documents
from robo_poet.errors import BadInput, BadInputParser
from robo_poet.features.features import VERSION

HEADER = """# TFDV schema of a corpus (DATA-1): one example per document. Review each change of this file.
# The reason of a rule is its `annotation`: an update of this file keeps annotations, but not comments like this one.
# The values of `source` and `genre` are listed only if a person has written the list, because they may name persons.
"""
WRITTEN_BY_PEOPLE = ("source", "genre")  # their values may name persons, so an inferred schema does not list them
LARGEST_DOMAIN = 20  # values; a feature with more has no list of values


def propose(corpus: Path, schema: Any, *, infer: bool) -> Any:
    """Return a schema that the corpus does not violate, and TFDV's statistics of the corpus."""
    statistics = TfdvStatistics()
    measure(read_documents(corpus), ["en"], 42, lambda ids, columns: statistics.add(columns))
    proto = statistics.proto()
    if infer:
        proposed, listed = tfdv().infer_schema(proto, max_string_domain_size=LARGEST_DOMAIN), set[str]()
        proposed.annotation.tag.append(VERSION)
    else:
        proposed = tfdv().update_schema(schema, proto, max_string_domain_size=LARGEST_DOMAIN)
        listed = {feature.name for feature in schema.feature if feature.WhichOneof("domain_info")}
    for feature in proposed.feature:
        if feature.name in WRITTEN_BY_PEOPLE and feature.name not in listed:
            for domain in [domain for domain in proposed.string_domain if domain.name == feature.domain]:
                proposed.string_domain.remove(domain)
            feature.ClearField("domain")
            feature.ClearField("string_domain")
    return proposed, proto


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return the exit status: 2 after one line `error: …` if the schema or the corpus cannot be read."""
    parser = BadInputParser(prog="python -m components.validate_data.propose", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="The corpus (Parquet).")
    parser.add_argument("--schema", default="", help="Text of the schema; empty for the curated one.")
    parser.add_argument("--infer", action="store_true", help="Infer a schema from the corpus alone.")
    try:
        arguments = parser.parse_args(argv)
        from google.protobuf import text_format

        before = read_schema(arguments.schema, "schema")
        after, statistics = propose(arguments.corpus, before, infer=arguments.infer)
        violations = [f"{violation['feature']}: {violation['what']}" for violation in anomalies(statistics, before)]
        header = HEADER if arguments.schema or arguments.infer else _header(CURATED.read_text("utf-8"))
        text = header + text_format.MessageToString(after, as_utf8=True)
        print(json.dumps({"schema": text, "changes": schema_changes(before, after), "anomalies": violations}))
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _header(text: str) -> str:
    return HEADER + "".join(line for line in text.splitlines(keepends=True) if line.startswith("# A `drift_comparator`"))


if __name__ == "__main__":
    sys.exit(main())
