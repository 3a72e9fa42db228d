"""duplicates.

Revision: 0005
After: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

# What was received before there were looks; the minute's job that finds lost steps gives each of these its job.
_LOOK_AT_ALL = """
INSERT INTO step (asset_id, name, state) SELECT asset_id, 'look', 'waiting' FROM step WHERE name = 'render' AND state = 'done'
"""


def upgrade() -> None:
    op.create_table('resolution',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('library_id', sa.Uuid(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=True),
    sa.Column('rule', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('dry_run', sa.Boolean(), nullable=False),
    sa.Column('merge', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('after_id', sa.Uuid(), nullable=True),
    sa.Column('groups', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('trashed', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('bytes', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('passed_over', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('running', 'done', 'failed', 'undone')", name=op.f('ck_resolution_state')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_resolution_account_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['library_id'], ['library.id'], name=op.f('fk_resolution_library_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_resolution'))
    )
    op.create_index(op.f('ix_resolution_account_id'), 'resolution', ['account_id'], unique=False)
    op.create_index(op.f('ix_resolution_library_id'), 'resolution', ['library_id'], unique=False)
    op.create_table('duplicate_group',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('library_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('settled_by', sa.Uuid(), nullable=True),
    sa.Column('resolution_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint("kind IN ('same', 'similar')", name=op.f('ck_duplicate_group_kind')),
    sa.ForeignKeyConstraint(['library_id'], ['library.id'], name=op.f('fk_duplicate_group_library_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['resolution_id'], ['resolution.id'], name=op.f('fk_duplicate_group_resolution_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['settled_by'], ['account.id'], name=op.f('fk_duplicate_group_settled_by'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_duplicate_group'))
    )
    op.create_index('ix_duplicate_group_open', 'duplicate_group', ['library_id', 'kind', 'id'], unique=False, postgresql_where=sa.text('settled_at IS NULL'))
    op.create_index(op.f('ix_duplicate_group_resolution_id'), 'duplicate_group', ['resolution_id'], unique=False)
    op.create_index(op.f('ix_duplicate_group_settled_by'), 'duplicate_group', ['settled_by'], unique=False)
    op.create_table('different',
    sa.Column('first_id', sa.Uuid(), nullable=False),
    sa.Column('second_id', sa.Uuid(), nullable=False),
    sa.Column('said_by', sa.Uuid(), nullable=True),
    sa.Column('said_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('first_id < second_id', name=op.f('ck_different_order')),
    sa.ForeignKeyConstraint(['first_id'], ['asset.id'], name=op.f('fk_different_first_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['said_by'], ['account.id'], name=op.f('fk_different_said_by'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['second_id'], ['asset.id'], name=op.f('fk_different_second_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('first_id', 'second_id', name=op.f('pk_different'))
    )
    op.create_index(op.f('ix_different_said_by'), 'different', ['said_by'], unique=False)
    op.create_index(op.f('ix_different_second_id'), 'different', ['second_id'], unique=False)
    op.create_table('duplicate_member',
    sa.Column('group_id', sa.Uuid(), nullable=False),
    sa.Column('asset_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_duplicate_member_asset_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['group_id'], ['duplicate_group.id'], name=op.f('fk_duplicate_member_group_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('group_id', 'asset_id', name=op.f('pk_duplicate_member'))
    )
    op.create_index(op.f('ix_duplicate_member_asset_id'), 'duplicate_member', ['asset_id'], unique=False)
    op.create_table('likeness',
    sa.Column('first_id', sa.Uuid(), nullable=False),
    sa.Column('second_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('orientation', sa.SmallInteger(), nullable=False),
    sa.Column('distance', sa.SmallInteger(), nullable=True),
    sa.Column('distance_large', sa.SmallInteger(), nullable=True),
    sa.Column('correlation', sa.Double(), nullable=True),
    sa.Column('alike', sa.Double(), nullable=True),
    sa.Column('first_shown', sa.Double(), nullable=True),
    sa.Column('second_shown', sa.Double(), nullable=True),
    sa.Column('ink', sa.Double(), nullable=True),
    sa.Column('border', sa.SmallInteger(), nullable=False),
    sa.CheckConstraint("kind IN ('same', 'similar')", name=op.f('ck_likeness_kind')),
    sa.CheckConstraint("reason IN ('pixels', 'part', 'writing', 'moved', 'moment', 'animation', 'changed', 'film', 'bytes')", name=op.f('ck_likeness_reason')),
    sa.CheckConstraint('first_id < second_id', name=op.f('ck_likeness_order')),
    sa.ForeignKeyConstraint(['first_id'], ['asset.id'], name=op.f('fk_likeness_first_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['second_id'], ['asset.id'], name=op.f('fk_likeness_second_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('first_id', 'second_id', name=op.f('pk_likeness'))
    )
    op.create_index(op.f('ix_likeness_second_id'), 'likeness', ['second_id'], unique=False)
    op.create_table('look',
    sa.Column('asset_id', sa.Uuid(), nullable=False),
    sa.Column('library_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('number', sa.BigInteger(), sa.Identity(), nullable=False),
    sa.Column('hash', sa.BigInteger(), nullable=True),
    sa.Column('keys', sa.ARRAY(sa.Integer()), nullable=False),
    sa.Column('length_ms', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_look_asset_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['library_id'], ['library.id'], name=op.f('fk_look_library_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('asset_id', name=op.f('pk_look'))
    )
    op.create_index('ix_look_keys', 'look', ['keys'], unique=False, postgresql_using='gin')
    op.create_index('ix_look_length_ms', 'look', ['library_id', 'length_ms'], unique=False, postgresql_where=sa.text('length_ms IS NOT NULL'))
    op.create_index('ix_look_number', 'look', ['library_id', 'number'], unique=False)
    op.create_table('quality',
    sa.Column('asset_id', sa.Uuid(), nullable=False),
    sa.Column('library_id', sa.Uuid(), nullable=False),
    sa.Column('measured_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('scores', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('sharpness', sa.Double(), nullable=True),
    sa.Column('merit', sa.Double(), nullable=False),
    sa.Column('verdicts', sa.ARRAY(sa.String()), nullable=False),
    sa.Column('kept', sa.ARRAY(sa.String()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('never', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('asked', sa.Boolean(), sa.Computed('NOT never AND NOT (verdicts <@ kept)', persisted=True), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_quality_asset_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['library_id'], ['library.id'], name=op.f('fk_quality_library_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('asset_id', name=op.f('pk_quality'))
    )
    op.create_index('ix_quality_asked', 'quality', ['library_id', 'merit', 'asset_id'], unique=False, postgresql_where=sa.text('asked'))
    op.create_index('ix_quality_merit', 'quality', ['library_id', 'merit', 'asset_id'], unique=False)
    op.create_table('resolved',
    sa.Column('resolution_id', sa.Uuid(), nullable=False),
    sa.Column('group_id', sa.Uuid(), nullable=False),
    sa.Column('kept', sa.ARRAY(sa.Uuid()), nullable=False),
    sa.Column('trashed', sa.ARRAY(sa.Uuid()), nullable=False),
    sa.Column('merged', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['group_id'], ['duplicate_group.id'], name=op.f('fk_resolved_group_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['resolution_id'], ['resolution.id'], name=op.f('fk_resolved_resolution_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('resolution_id', 'group_id', name=op.f('pk_resolved'))
    )
    op.create_index(op.f('ix_resolved_group_id'), 'resolved', ['group_id'], unique=False)
    op.execute(_LOOK_AT_ALL)


def downgrade() -> None:
    op.execute("DELETE FROM step WHERE name = 'look'")
    op.drop_index(op.f('ix_resolved_group_id'), table_name='resolved')
    op.drop_table('resolved')
    op.drop_index('ix_quality_merit', table_name='quality')
    op.drop_index('ix_quality_asked', table_name='quality', postgresql_where=sa.text('asked'))
    op.drop_table('quality')
    op.drop_index('ix_look_number', table_name='look')
    op.drop_index('ix_look_length_ms', table_name='look', postgresql_where=sa.text('length_ms IS NOT NULL'))
    op.drop_index('ix_look_keys', table_name='look', postgresql_using='gin')
    op.drop_table('look')
    op.drop_index(op.f('ix_likeness_second_id'), table_name='likeness')
    op.drop_table('likeness')
    op.drop_index(op.f('ix_duplicate_member_asset_id'), table_name='duplicate_member')
    op.drop_table('duplicate_member')
    op.drop_index(op.f('ix_different_second_id'), table_name='different')
    op.drop_index(op.f('ix_different_said_by'), table_name='different')
    op.drop_table('different')
    op.drop_index(op.f('ix_duplicate_group_settled_by'), table_name='duplicate_group')
    op.drop_index(op.f('ix_duplicate_group_resolution_id'), table_name='duplicate_group')
    op.drop_index('ix_duplicate_group_open', table_name='duplicate_group', postgresql_where=sa.text('settled_at IS NULL'))
    op.drop_table('duplicate_group')
    op.drop_index(op.f('ix_resolution_library_id'), table_name='resolution')
    op.drop_index(op.f('ix_resolution_account_id'), table_name='resolution')
    op.drop_table('resolution')
