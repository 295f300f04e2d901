"""Painting photos with nothing but numpy and Pillow around the network: no torch, no OpenCV."""
