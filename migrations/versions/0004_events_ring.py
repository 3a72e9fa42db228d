"""events ring.

Revision: 0004
After: 0003
"""

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


def upgrade() -> None:
    op.execute(_RING)
    op.execute('CREATE TRIGGER event_ring AFTER INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION event_ring()')


def downgrade() -> None:
    op.execute('DROP TRIGGER event_ring ON event')
    op.execute('DROP FUNCTION event_ring()')
