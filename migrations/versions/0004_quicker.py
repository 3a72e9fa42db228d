"""quicker.

Revision: 0004
After: 0003
"""

import sqlalchemy as sa
from alembic import op
revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

# The payload is empty: many events of one transaction are one notification.
_RING = """
CREATE FUNCTION event_ring() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY tagphoto_events;
    RETURN NULL;
END
$$
"""
_COLUMNS = ('camera', 'lens', 'place_id')


def upgrade() -> None:
    op.execute(_RING)
    op.execute('CREATE TRIGGER event_ring AFTER INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION event_ring()')
    for column in _COLUMNS:
        op.drop_index(f'ix_asset_{column}', table_name='asset')
        op.create_index(
            f'ix_asset_{column}', 'asset', ['library_id', column, 'taken_at'], unique=False,
            postgresql_include=['archived'], postgresql_where=sa.text(f'{column} IS NOT NULL AND in_timeline'),
        )


def downgrade() -> None:
    for column in _COLUMNS:
        op.drop_index(f'ix_asset_{column}', table_name='asset')
        op.create_index(
            f'ix_asset_{column}', 'asset', ['library_id', column, 'taken_at'], unique=False,
            postgresql_where=sa.text(f'{column} IS NOT NULL'),
        )
    op.execute('DROP TRIGGER event_ring ON event')
    op.execute('DROP FUNCTION event_ring()')
