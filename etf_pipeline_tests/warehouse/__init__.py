"""Proof of the warehouse room: nothing acknowledged is lost, nothing half done is seen."""
