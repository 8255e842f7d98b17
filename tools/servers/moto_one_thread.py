"""moto_one_thread.py PORT: moto on loopback, one request at a time."""
import sys

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

# One thread and connections that stay open would let one client lock out all others, so: HTTP/1.0.
run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False)
