"""Staff who sign in."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from ringfence.desk.accounts.roles import ROLES, Permission


class User(AbstractUser):
    """A member of staff; what they may do is their role's list of permissions."""

    role = models.CharField(max_length=32, choices=[(r.code, r.title) for r in ROLES.values()])

    def may(self, permission: Permission) -> bool:
        """Tell whether this person's role permits `permission`."""
        role = ROLES.get(self.role)
        return self.is_active and role is not None and permission in role.permissions
