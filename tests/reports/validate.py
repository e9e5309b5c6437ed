#!/usr/bin/python3
"""Holds JSON files against a JSON Schema (draft 2020-12), with a validator that is not ours.

usage: validate.py SCHEMA FILE...     each FILE must keep to it; exit code 0 when all do
       validate.py --mutants SCHEMA FILE   FILE must keep to it, and no mutant of it may: at every object of FILE an
                                     added key, a removed key, and a value of another type
Exit code 1: told what does not hold. 2: the validator is not installed.
"""
import copy
import json
import sys

try:
    import jsonschema
except ImportError:
    sys.exit("python3-jsonschema is missing: install Debian's package python3-jsonschema")


def validator_of(path):
    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def errors_of(validator, document):
    return ["/".join(map(str, error.absolute_path)) + ": " + error.message for error in validator.iter_errors(document)]


def of_another_type(value):
    if value is None:
        return object_of_nobody()
    return 7 if isinstance(value, (str, list, dict, bool)) else "seven"


def is_map(schema):
    """Keys are names of the user's: more or fewer of them say nothing."""
    return isinstance(schema.get("additionalProperties"), dict)


def mutants(document, schema, path="", at=()):
    """(what was done, the changed document), for every place the schema describes."""

    def changed(change):
        copied = copy.deepcopy(document)
        target = copied
        for step in at:
            target = target[step]
        change(target)
        return copied

    here = document
    for step in at:
        here = here[step]
    if isinstance(here, list):
        for index in range(len(here)):
            yield path + f"/{index} of another type", changed(lambda t, i=index: t.__setitem__(i, object_of_nobody()))
            yield from mutants(document, schema["items"], f"{path}/{index}", at + (index,))
    elif isinstance(here, dict):
        described = schema.get("properties")
        if described is not None:
            yield path + " with a key that is not known", changed(lambda t: t.__setitem__("kye", 1))
        for key in here:
            if described is not None:
                yield f"{path}/{key} missing", changed(lambda t, k=key: t.__delitem__(k))
            if described is not None or is_map(schema):
                yield f"{path}/{key} of another type", changed(lambda t, k=key: t.__setitem__(k, of_another_type(t[k])))
                inner = described[key] if described is not None else schema["additionalProperties"]
                yield from mutants(document, inner, f"{path}/{key}", at + (key,))


def object_of_nobody():
    return {"nobody": ["knows", 1.5]}


def main():
    if sys.argv[1] == "--mutants":
        with open(sys.argv[2], encoding="utf-8") as file:
            schema = json.load(file)
        validator = validator_of(sys.argv[2])
        document = load(sys.argv[3])
        found = errors_of(validator, document)
        count = 0
        for name, mutant in mutants(document, schema):
            count += 1
            if not errors_of(validator, mutant):
                found.append("the schema lets this pass: " + name)
        print(f"{count} mutants")
        if count < 100:
            found.append("too few mutants to prove anything")
    else:
        validator = validator_of(sys.argv[1])
        found = [path + " " + error for path in sys.argv[2:] for error in errors_of(validator, load(path))]
    for error in found:
        print(error)
    sys.exit(1 if found else 0)


main()
