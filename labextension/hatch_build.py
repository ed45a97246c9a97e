"""Puts the built JupyterLab extension into wheels and source distributions."""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHARED = "share/jupyter/labextensions/lumos-nb"


class LabExtension(BuildHookInterface):
    """An editable install goes without it: there the Makefile names the folder to JupyterLab."""

    def initialize(self, version, build_data):
        """Add what `make .venv/.labextension` has built; refuse a wheel without it."""
        built = Path(self.root, "labextension", "dist", "lumos-nb")
        if version == "editable":
            return
        if not (built / "package.json").is_file():
            raise RuntimeError("The JupyterLab extension is not built. Run `make build`, which builds both.")
        install = Path(self.root, "labextension", "install.json")
        if self.target_name == "wheel":
            build_data["shared_data"] |= {str(built): SHARED, str(install): f"{SHARED}/install.json"}
        else:
            build_data["force_include"] |= {str(path): str(path.relative_to(self.root)) for path in (built, install)}
