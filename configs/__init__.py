"""What a run is: frozen, validated settings and the YAML files that users edit."""
