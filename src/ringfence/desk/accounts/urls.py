"""Addresses of the accounts room."""

from __future__ import annotations

from django.urls import path

from ringfence.desk.accounts import views

urlpatterns = [
    path("sign-in", views.SignIn.as_view(), name="sign-in"),
    path("sign-out", views.SignOut.as_view(), name="sign-out"),
]
