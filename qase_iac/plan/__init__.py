"""DESIRED + SNAPSHOT + STATE -> Plan: a pure function, and the plan as a value and as a file."""
