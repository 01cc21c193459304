"""A short campaign; `make torture` runs longer ones."""

from pathlib import Path

from tests.running import town
from tests.torture.campaign import Campaign, Plan


async def test_nothing_is_lost_or_doubled_when_the_process_is_killed_at_random(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        campaign = Campaign(place, Plan(15, seed=1, between_orders=0.6, between_kills=2.5, fewest_kills=12))
        await campaign.run()
        assert campaign.violations() == [], campaign.table()


async def test_a_campaign_in_which_nothing_happens_proves_nothing(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        campaign = Campaign(place, Plan(0, seed=1))
        await campaign.run()
        assert {"No kill interrupted a run.", "No forged webhook was refused."} <= {*campaign.violations()}
