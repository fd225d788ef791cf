"""No import circle, with the imports inside functions counted.

What counts as "A imports B":

- the module that is named, or the package where the name is no submodule of it;
- the packages around B that are not around A too. Python runs them first. Those that are around
  both have begun to run before A could, so A does not wait for them: a package may import its
  modules, and they each other, but not a name that the package itself defines.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from tests.contracts.source import imports, modules, parents


def edges() -> dict[str, Set[str]]:
    """What must have run before each module is complete."""
    graph: dict[str, Set[str]] = {}
    for module in modules():
        around = set(parents(module))
        needed = imports(module)
        graph[module] = needed | {each for other in needed for each in parents(other)} - around - {module}
    return graph


def circle(graph: Mapping[str, Set[str]]) -> list[str]:
    """The modules of some circle in the order in which they import each other; empty when there is none."""
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for other in sorted(graph[module]):
            if found := walk(other, [*path, module]):
                return found
        done.add(module)
        return []

    return next((found for module in sorted(graph) if (found := walk(module, []))), [])


def test_no_module_imports_itself_in_a_circle() -> None:
    found = circle(edges())
    assert not found, f"{' imports '.join(found)}: move what they share into a module below both"


def test_a_circle_would_be_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_an_import_inside_a_function_is_an_import() -> None:
    assert "webapi.services.storage" in imports("webapi.services.processing.tables")
    assert {"webapi.queue.attempt", "webapi.queue.submit"} <= imports("webapi.queue")
