import pytest

from lumos_nb import settings
from lumos_nb.transport import default_transport


@pytest.fixture(autouse=True)
async def closed_connections():
    yield
    await default_transport().aclose()
    settings.reset()
