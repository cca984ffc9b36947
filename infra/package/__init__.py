"""What is uploaded as the function app: its own files, and its libraries, as the Functions image needs them.

python -m infra.package libraries DIRECTORY    installs requirements.txt, as the image needs it
python -m infra.package zip FILE DIRECTORY     packs the app and the libraries of DIRECTORY

`make package` does both. Nothing in here is part of the package.
"""
