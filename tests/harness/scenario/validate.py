"""validate.py SCHEMA FILE...: judges files by a JSON Schema, with python3-jsonschema.

Prints "ok FILE", or "refused FILE: why", for each; exits 3 when the validator is not installed.
"""
import json
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    sys.exit(3)

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        error = next(validator.iter_errors(json.load(file)), None)
    print(f"refused {path}: {error.message[:200]!r}" if error else f"ok {path}")
