"""Pusher: releases a blessed model."""
