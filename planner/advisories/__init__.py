"""Advisories about releases in OSV's format, from a service or a local database, and what they find
in a lock.

Doors: ``releases.releases_of`` tells which releases a lock selects; ``audit.audit_releases`` asks
about all of them and joins what it gets; ``audit.AuditRequest`` says where to ask and what to
ignore; ``upgrade.upgrade_commands`` tells how to get
the fixes.

May import: exports, review, inputs, index.

Source: https://ossf.github.io/osv-schema/
"""
