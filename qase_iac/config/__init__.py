"""From a project folder to desired state: files finds, yaml_source reads, yaml_slips explains, the loader builds."""
