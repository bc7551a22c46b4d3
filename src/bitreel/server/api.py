"""The routes below /api."""

from __future__ import annotations

from fastapi import APIRouter

from bitreel.server import job_routes, listing_routes, media_routes, search_routes, upload_routes
from bitreel.server.asking import PROBLEMS

router = APIRouter(prefix="/api", responses=PROBLEMS)  # type: ignore[arg-type]
for part in (listing_routes, media_routes, search_routes, job_routes, upload_routes):
    router.include_router(part.router)
