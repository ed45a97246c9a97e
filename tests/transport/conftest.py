"""Every test of the transport runs on each of them; connections and settings are as before."""

import pytest

from lumos_nb import settings
from lumos_nb.transport import default_transport


@pytest.fixture(autouse=True, params=["aiohttp", "httpx"])
async def transport(request):
    settings.configure(transport=request.param)
    yield request.param
    await default_transport().aclose()
    settings.reset()
