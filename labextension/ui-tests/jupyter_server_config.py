"""The JupyterLab that the tests open: Galata's, with this extension as it was built."""

from pathlib import Path

from jupyterlab.galata import configure_jupyter_server

c = get_config()  # noqa: F821
configure_jupyter_server(c)
of_galata = c.LabServerApp.extra_labextensions_path
c.LabServerApp.extra_labextensions_path = [of_galata, str(Path(__file__).parent.parent / "dist")]
c.ServerApp.allow_root = True
c.ServerApp.ip = "127.0.0.1"
