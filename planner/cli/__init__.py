"""The commands of the planner, a module for each or for those that belong together."""
