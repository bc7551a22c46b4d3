"""`python -m bitreel`"""

from bitreel.cli import main

main()
