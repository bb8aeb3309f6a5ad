"""The atelier: ground, brush, and one module for each picture. Needs numpy and Pillow only."""
