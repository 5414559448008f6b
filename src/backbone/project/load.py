"""Reads a project folder into one frozen value, strictly: all problems of all files are found before anything runs."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from backbone.connectors.secrets import Secrets
from backbone.errors import Problem, ProjectError, UsageError, did_you_mean
from backbone.model.names import PLAIN_NAME
from backbone.model.project import Project, Source, Trusted
from backbone.project.analyses import KINDS, AnalysisDraft, draft_analysis, read_analysis
from backbone.project.catalogue import Catalogue
from backbone.project.cycles import check_cycles
from backbone.project.decisions import DECISIONS, read_decisions
from backbone.project.finding import PROJECT_FILE, find_project
from backbone.project.glossary import read_glossary, with_inherited
from backbone.project.places import File, about_file, read_file
from backbone.project.python_tree import read_declared
from backbone.project.settings import Settings, read_settings
from backbone.project.sources import SourceReader
from backbone.project.tree import Mapping, Node
from backbone.project.trusted import converted_columns, default_trusted, read_trusted, source_columns
from backbone.project.views import Draft, draft_python, draft_sql, read_view
from backbone.project.yaml_tree import read_yaml

__all__ = ["PROJECT_FILE", "find_project", "load_project"]

GLOSSARY_FILE = "glossary.yml"
_ENDINGS = {
    "sources": (".yml",),
    "trusted": (".yml", ".csv"),
    "exploitation": (".sql", ".py"),
    "analysis": (".py",),
}
"""What each folder holds. Crosswalks (.yml, .csv in exploitation) are not built yet."""


def load_project(root: Path) -> Project:
    """The project in a folder, read and checked.

    Raises:
        UsageError: there is no `backbone.yml`.
        ProjectError: with all problems of all files, by file and line.
    """
    root = root.resolve()
    if not (root / PROJECT_FILE).is_file():
        raise UsageError(f"{root} is no project: it has no {PROJECT_FILE}. Start one: backbone init {root}")
    loader = _Loader(root)
    project = loader.project()
    if loader.problems:
        raise ProjectError(loader.problems)
    return project


@dataclass(slots=True)
class _Loader:
    """Reads all files first, so that each can be checked against all others."""

    root: Path
    problems: list[Problem] = field(default_factory=list)
    catalogue: Catalogue = field(default_factory=Catalogue)
    stems: dict[str, set[str]] = field(default_factory=lambda: {folder: set() for folder in _ENDINGS})

    def project(self) -> Project:
        secrets = Secrets(self.root)
        file = read_file(self.root, PROJECT_FILE, self.problems)
        settings = read_settings(file, secrets, self.problems) if file else Settings()
        self.catalogue.upstream = settings.upstream is not None
        reader = SourceReader(secrets, settings.contract)
        sources = tuple(self._source(file, reader) for file in self._files("sources"))
        relations = tuple(relation for source in sources for relation in source.relations)
        self.stems["sources"] |= {relation.name for relation in relations}
        beside = tuple(self._files("trusted"))
        files = {f.stem: (f, read_yaml(f, self.problems)) for f in beside if not f.path.endswith(DECISIONS)}
        decided = {f.stem: f for f in beside if f.path.endswith(DECISIONS)}
        drafts = [view for file in self._files("exploitation") if (view := self._view(file))]
        questions = [question for file in self._files("analysis") if (question := self._analysis(file))]
        self._register(relations, files, drafts, questions)
        trusted = self._trusted(relations, files, decided)
        views = tuple(read_view(draft, self.catalogue, self.problems) for draft in drafts)
        analyses = tuple(read_analysis(draft, self.catalogue, self.problems) for draft in questions)
        check_cycles(views, [(a, q.outputs) for a, q in zip(analyses, questions, strict=True)], self.problems)
        glossary = (
            read_file(self.root, GLOSSARY_FILE, self.problems) if os.path.lexists(self.root / GLOSSARY_FILE) else None
        )
        terms = read_glossary(glossary, self.catalogue, self.problems) if glossary else ()
        return Project(
            root=self.root,
            name=settings.name,
            environments=settings.environments,
            storage=settings.storage,
            memory_limit=settings.memory_limit,
            engine=settings.engine,
            retention=settings.retention,
            upstream=settings.upstream,
            sources=sources,
            trusted=tuple(with_inherited(dataset, terms) for dataset in trusted),
            views=tuple(with_inherited(view, terms) for view in views),
            analyses=analyses,
            terms=terms,
        )

    def _files(self, folder: str) -> Iterator[File]:
        """The files that declare something in a folder, by name; others are problems."""
        stems: dict[str, str] = {}
        for name, is_folder in sorted(_listing(self.root / folder)):
            path = f"{folder}/{name}"
            stem, ending = PurePosixPath(name).stem, PurePosixPath(name).suffix
            if name.startswith((".", "__pycache__")) or (ending == ".py" and name.startswith("_")):
                continue
            wrong = self._wrong_file(folder, stem, ending, is_folder)
            key = name if ending == ".csv" else stem  # decisions stand beside the rules
            if not wrong and key in stems:
                wrong = f"{folder} has {stems[key]} already: a name occurs once in a folder"
            stems[key] = name
            if wrong:
                self.problems.append(about_file(path, wrong))
                continue
            self.stems[folder].add(stem)
            if file := read_file(self.root, path, self.problems):
                yield file

    def _wrong_file(self, folder: str, stem: str, ending: str, is_folder: bool) -> str:
        expected = " or ".join(f"NAME{end}" for end in _ENDINGS[folder])
        if is_folder:
            return f"a folder can't stand here: {folder} holds {expected}. Python helpers begin with `_`"
        if folder == "exploitation" and ending in {".yml", ".csv"}:
            return "crosswalks are not built yet"
        if ending not in _ENDINGS[folder]:
            return f"this file doesn't belong here: {folder} holds {expected}.{did_you_mean(ending, _ENDINGS[folder])}"
        if not PLAIN_NAME.fullmatch(stem):
            return f"'{stem}' can't name a dataset. A name is made of a-z, 0-9 and _, and begins with a letter"
        if "__" in stem and not (folder == "trusted" and stem in self.stems["sources"]):
            return f"'{stem}' can't name a dataset: `__` means inside, and is only for Backbone's own names"
        return ""

    def _source(self, file: File, reader: SourceReader) -> Source:
        before = len(self.problems)
        source = reader.read(file, self.problems)
        if len(self.problems) == before:
            # Those of a source with mistakes aren't: whoever uses them shouldn't be blamed too.
            known = {one.name: columns for one in source.relations if (columns := source_columns(one)) is not None}
            self.catalogue.tables |= {f"formatted.{name}": columns for name, columns in known.items()}
        return source

    def _view(self, file: File) -> Draft | None:
        if file.path.endswith(".sql"):
            return draft_sql(file, self.problems)
        declared = read_declared(self.root, file, ("view",), self.problems)
        return draft_python(file, declared, self.problems) if declared else None

    def _analysis(self, file: File) -> AnalysisDraft | None:
        declared = read_declared(self.root, file, KINDS, self.problems)
        return draft_analysis(file, declared, self.problems) if declared else None

    def _register(
        self,
        sources: tuple[Source, ...],
        files: dict[str, tuple[File, Node | None]],
        drafts: list[Draft],
        questions: list[AnalysisDraft],
    ) -> None:
        """All datasets there are, so that files can be checked against each other."""
        catalogue = self.catalogue
        for source in sources:
            node = files[source.name][1] if source.name in files else None
            catalogue.keys[f"trusted.{source.name}"] = _key(node)
        for draft in drafts:
            catalogue.keys[draft.dataset] = draft.key
            if draft.parsed:
                catalogue.queries[draft.dataset] = draft.parsed
        # A file that can't be read still names its dataset: those who read it shouldn't be blamed too.
        catalogue.names |= {f"{zone}.{stem}" for zone in ("formatted", "trusted") for stem in self.stems["sources"]}
        catalogue.names |= {f"exploitation.{stem}" for stem in self.stems["exploitation"]}
        for question in questions:
            catalogue.names.update(question.outputs)

    def _trusted(
        self, sources: tuple[Source, ...], files: dict[str, tuple[File, Node | None]], decided: dict[str, File]
    ) -> tuple[Trusted, ...]:
        for stem, file in [*((stem, file) for stem, (file, _) in files.items()), *decided.items()]:
            if stem not in self.stems["sources"]:
                near = did_you_mean(stem, self.stems["sources"])
                message = f"there is no source '{stem}' (sources/{stem}.yml).{near}"
                self.problems.append(about_file(file.path, message))
        trusted = []
        for source in sources:
            entry = files.get(source.name)
            made = read_trusted(*entry, source, self.catalogue, self.problems) if entry else default_trusted(source)
            columns = self.catalogue.columns(f"formatted.{source.name}")
            if source.name in decided:
                where, file = f"formatted.{source.name}", decided[source.name]
                made = replace(made, decisions=read_decisions(file, columns, where, self.problems))
            if columns is not None:
                self.catalogue.tables[f"trusted.{source.name}"] = converted_columns(columns, made)
            trusted.append(made)
        return tuple(trusted)


def _key(node: Node | None) -> tuple[str, ...]:
    from backbone.project.fields import texts_of

    key = node.get("key") if isinstance(node, Mapping) else None
    return tuple(text.value for text in texts_of(key, "`key`", []))


def _listing(folder: Path) -> Iterable[tuple[str, bool]]:
    """The names in a folder, and whether each is a folder; nothing where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return [(entry.name, _is_folder(entry)) for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # such as a link to itself: reading it says so
        return False
