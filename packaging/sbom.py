#!/usr/bin/env python3
"""Writes what the program is made of as an SPDX 2.3 document (a software bill of materials).

Shared libraries are those that the program names, with the Debian packages that they come from; what is compiled in, and
what compiled it, is told on the command line. The same input gives the same bytes.
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess


def output_of(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def shared_libraries(program):
    """Names of the libraries that the program itself asks for, sorted."""
    return sorted(re.findall(r"\(NEEDED\).*\[(.+)\]", output_of("readelf", "-d", program)))


def package_of_library(program, name):
    """The Debian package with this library; empty where there is no dpkg."""
    found = re.search(rf"^\s*{re.escape(name)} => (/\S+)", output_of("ldd", program), re.M)
    for path in (found[1], os.path.realpath(found[1]), re.sub("^/lib/", "/usr/lib/", found[1])) if found else ():
        owner = output_of("dpkg", "-S", path)
        if owner:
            return owner.split(": ")[0].split(":")[0]
    return ""


def describe(name, package):
    """An SPDX package: a Debian package where there is one, otherwise no more than a name."""
    version, source, architecture = "", "", ""
    if package:
        fields = "${Version}\t${source:Package}\t${Architecture}\n"
        version, source, architecture = output_of("dpkg-query", "-W", "-f", fields, package).split("\n")[0].split("\t")
    entry = {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.]", "-", package or name),
        "name": package or name,
        "versionInfo": version or "NOASSERTION",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    }
    if package:
        entry["sourceInfo"] = f"Debian source package {source}"
        locator = f"pkg:deb/debian/{package}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={architecture}"
        entry["externalRefs"] = [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator}
        ]
    return entry


def document(arguments):
    us = "SPDXRef-isochron"
    packages = {
        us: {
            "SPDXID": us,
            "name": "isochron",
            "versionInfo": arguments.version,
            "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False,
            "licenseConcluded": "MIT",
            "licenseDeclared": "MIT",
            "copyrightText": "Copyright (c) 2026 The Isochron authors",
            "primaryPackagePurpose": "APPLICATION",
        }
    }
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", us)]
    for library in shared_libraries(arguments.program):
        entry = describe(library, package_of_library(arguments.program, library))
        packages[entry["SPDXID"]] = entry
        relations.append((us, "DYNAMIC_LINK", entry["SPDXID"]))
    for option, kind in (("compiled_in", "STATIC_LINK"), ("build_tool", "BUILD_TOOL_OF")):
        for package in getattr(arguments, option):
            entry = describe(package, package if output_of("dpkg-query", "-W", package) else "")
            packages[entry["SPDXID"]] = entry
            ends = (us, entry["SPDXID"])
            relations.append((ends[0], kind, ends[1]) if kind == "STATIC_LINK" else (ends[1], kind, ends[0]))
    contents = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"isochron-{arguments.version}",
        "creationInfo": {
            "created": datetime.datetime.fromtimestamp(arguments.date, datetime.timezone.utc).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
            "creators": ["Tool: isochron/packaging/sbom.py"],
        },
        "packages": list(packages.values()),
        "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
            for one, kind, other in dict.fromkeys(relations)
        ],
    }
    digest = hashlib.sha256(json.dumps(contents).encode()).hexdigest()
    contents["documentNamespace"] = f"https://spdx.org/spdxdocs/{contents['name']}-{digest[:32]}"
    return contents


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", required=True)
    parser.add_argument("--date", required=True, type=int, help="of the document, in seconds since 1970")
    parser.add_argument("--compiled-in", action="append", default=[], metavar="PACKAGE", help="a header-only library")
    parser.add_argument("--build-tool", action="append", default=[], metavar="PACKAGE")
    parser.add_argument("--output", required=True, type=pathlib.Path)
    parser.add_argument("program")
    arguments = parser.parse_args()
    arguments.output.write_text(json.dumps(document(arguments), indent=2) + "\n")


if __name__ == "__main__":
    main()
