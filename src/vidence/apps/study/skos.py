"""The knowledge points as SKOS in JSON-LD: concepts with their definitions, what each requires, and where it is taught.

Concepts follow W3C SKOS; `dcterms:requires` is the concept map; where a concept is taught is a schema.org `Clip` of the
`VideoObject`, addressed by a media fragment (`#t=12.5,20`).
"""

from __future__ import annotations

from typing import Any

from vidence.apps.study.study import Study
from vidence.printable import printable, to_json_text
from vidence.timeline import Span

CONTEXT = {
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "dcterms": "http://purl.org/dc/terms/",
    "schema": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "prefLabel": {"@id": "skos:prefLabel", "@container": "@language"},
    "definition": {"@id": "skos:definition", "@container": "@language"},
    "inScheme": {"@id": "skos:inScheme", "@type": "@id"},
    "hasTopConcept": {"@id": "skos:hasTopConcept", "@type": "@id", "@container": "@set"},
    "topConceptOf": {"@id": "skos:topConceptOf", "@type": "@id"},
    "requires": {"@id": "dcterms:requires", "@type": "@id", "@container": "@set"},
    "isRequiredBy": {"@id": "dcterms:isRequiredBy", "@type": "@id", "@container": "@set"},
    "related": {"@id": "skos:related", "@type": "@id", "@container": "@set"},
    "title": "dcterms:title",
    "subjectOf": {"@id": "schema:subjectOf", "@type": "@id", "@container": "@set"},
    "hasPart": {"@id": "schema:hasPart", "@type": "@id", "@container": "@set"},
    "name": "schema:name",
    "startOffset": {"@id": "schema:startOffset", "@type": "xsd:decimal"},
    "endOffset": {"@id": "schema:endOffset", "@type": "xsd:decimal"},
    "duration": "schema:duration",
}


def to_skos(study: Study) -> str:
    """Write the scheme, its concepts, the video and its parts as one JSON-LD document."""
    video = f"urn:vidence:{study.coverage.medium}"
    scheme = f"{video}/concepts"
    whole = study.coverage.whole
    clips: dict[str, dict[str, Any]] = {}

    def clip(span: Span, name: str) -> str:
        start, end = (float(max(time - whole.start, 0)) for time in (span.start, span.end))
        id = f"{video}#t={start:g},{end:g}"
        clips.setdefault(
            id,
            {
                "@id": id,
                "@type": "schema:Clip",
                "name": name,
                "startOffset": f"{start:.3f}",
                "endOffset": f"{end:.3f}",
            },
        )
        return id

    def concept(id: str) -> str:
        return f"{scheme}/{id}"

    needed = {need.point for need in study.needs}
    concepts = []
    for point in study.points:
        node: dict[str, Any] = {
            "@id": concept(point.id),
            "@type": "skos:Concept",
            "prefLabel": {study.language: printable(point.name)},
            "inScheme": scheme,
            "subjectOf": [clip(span, printable(point.name)) for span in point.places],
        }
        if point.definition and point.certain:
            node["definition"] = {study.language: printable(point.definition)}
        if requires := [concept(need.needs) for need in study.needs if need.point == point.id]:
            node["requires"] = requires
        if required := [concept(need.point) for need in study.needs if need.needs == point.id]:
            node["isRequiredBy"] = required
        if point.id not in needed:
            node["topConceptOf"] = scheme
        concepts.append(node)
    chapters = [clip(chapter.span, printable(chapter.title)) for chapter in study.chapters]
    graph = [
        {
            "@id": scheme,
            "@type": "skos:ConceptScheme",
            "title": printable(study.file),
            "hasTopConcept": [concept(p.id) for p in study.points if p.id not in needed],
        },
        {
            "@id": video,
            "@type": "schema:VideoObject",
            "name": printable(study.file),
            "duration": f"PT{float(whole.duration):.3f}S",
            "hasPart": chapters,
        },
        *concepts,
        *clips.values(),
    ]
    return to_json_text({"@context": CONTEXT, "@graph": graph}) + "\n"
