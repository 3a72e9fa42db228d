"""space.

Revision: 0006
After: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('space_day',
    sa.Column('library_id', sa.Uuid(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('assets', sa.Integer(), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.Column('stored', sa.BigInteger(), nullable=False),
    sa.Column('formers', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['library_id'], ['library.id'], name=op.f('fk_space_day_library_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('library_id', 'day', name=op.f('pk_space_day'))
    )
    op.create_table('form',
    sa.Column('file_id', sa.Uuid(), nullable=False),
    sa.Column('asset_id', sa.Uuid(), nullable=False),
    sa.Column('form', sa.String(), nullable=False),
    sa.Column('codec', sa.String(), nullable=True),
    sa.Column('media_type', sa.String(), nullable=True),
    sa.Column('setting', sa.Double(), nullable=True),
    sa.Column('score', sa.Double(), nullable=True),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('former_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('leaves_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('gone_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("form IN ('received', 'exact', 'lossy')", name=op.f('ck_form_form')),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_form_asset_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('file_id', name=op.f('pk_form'))
    )
    op.create_index(op.f('ix_form_asset_id'), 'form', ['asset_id'], unique=False)
    op.create_index('ix_form_leaving', 'form', ['leaves_at'], unique=False, postgresql_where=sa.text('leaves_at IS NOT NULL AND gone_at IS NULL'))
    op.create_table('recompression',
    sa.Column('asset_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.String(), server_default=sa.text("'due'"), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), server_default=sa.text("(clock_timestamp() + '01:00:00'::interval)"), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('version', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('level', sa.String(), nullable=True),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("state IN ('due', 'done', 'refused')", name=op.f('ck_recompression_state')),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_recompression_asset_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('asset_id', name=op.f('pk_recompression'))
    )
    op.create_index('ix_recompression_due', 'recompression', ['due_at'], unique=False, postgresql_where=sa.text("state = 'due'"))
    op.create_table('policy',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('library_id', sa.Uuid(), nullable=False),
    sa.Column('album_id', sa.Uuid(), nullable=True),
    sa.Column('level', sa.String(), nullable=False),
    sa.Column('score', sa.Double(), nullable=True),
    sa.Column('codec', sa.String(), nullable=True),
    sa.Column('most_pixels', sa.BigInteger(), nullable=True),
    sa.Column('keep_days', sa.Integer(), server_default=sa.text('30'), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('changed_by', sa.Uuid(), nullable=True),
    sa.CheckConstraint("codec IN ('jxl', 'avif', 'webp', 'jpeg')", name=op.f('ck_policy_codec')),
    sa.CheckConstraint("level IN ('keep', 'exact', 'visually_lossless', 'space_saver', 'custom')", name=op.f('ck_policy_level')),
    sa.CheckConstraint('score BETWEEN 30 AND 95', name=op.f('ck_policy_score')),
    sa.ForeignKeyConstraint(['album_id'], ['album.id'], name=op.f('fk_policy_album_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['changed_by'], ['account.id'], name=op.f('fk_policy_changed_by'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['library_id'], ['library.id'], name=op.f('fk_policy_library_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_policy')),
    sa.UniqueConstraint('album_id', name=op.f('uq_policy_album_id'))
    )
    op.create_index(op.f('ix_policy_library_id'), 'policy', ['library_id'], unique=False)
    op.create_index('uq_policy_library', 'policy', ['library_id'], unique=True, postgresql_where=sa.text('album_id IS NULL'))
    op.create_table('space_preview',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('library_id', sa.Uuid(), nullable=False),
    sa.Column('album_id', sa.Uuid(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('results', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['album_id'], ['album.id'], name=op.f('fk_space_preview_album_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['library_id'], ['library.id'], name=op.f('fk_space_preview_library_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_space_preview'))
    )
    op.create_index(op.f('ix_space_preview_library_id'), 'space_preview', ['library_id'], unique=False)
    op.drop_constraint('ck_file_kind', 'file')
    op.create_check_constraint(
        op.f('ck_file_kind'), 'file', "kind IN ('original', 'rendition', 'exact', 'lossy')"
    )
    # What is there already is due, too: in an hour, the oldest first.
    op.execute(
        'INSERT INTO recompression (asset_id, due_at) '
        "SELECT id, now() + interval '1 hour' + (created_at - now()) * 1e-6 FROM asset"
    )


def downgrade() -> None:
    # Exact and lossy forms are for releases that know them: with one of them this is refused here, before anything goes.
    op.drop_constraint('ck_file_kind', 'file')
    op.create_check_constraint(op.f('ck_file_kind'), 'file', "kind IN ('original', 'rendition')")
    op.drop_index(op.f('ix_space_preview_library_id'), table_name='space_preview')
    op.drop_table('space_preview')
    op.drop_index('uq_policy_library', table_name='policy', postgresql_where=sa.text('album_id IS NULL'))
    op.drop_index(op.f('ix_policy_library_id'), table_name='policy')
    op.drop_table('policy')
    op.drop_index('ix_recompression_due', table_name='recompression', postgresql_where=sa.text("state = 'due'"))
    op.drop_table('recompression')
    op.drop_index('ix_form_leaving', table_name='form', postgresql_where=sa.text('leaves_at IS NOT NULL AND gone_at IS NULL'))
    op.drop_index(op.f('ix_form_asset_id'), table_name='form')
    op.drop_table('form')
    op.drop_table('space_day')
