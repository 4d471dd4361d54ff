"""The experiment that runs are filed under."""

import kfp

from pipelines.cluster.client import named, quietly
from pipelines.cluster.connection import PREFIX, Connection
from robo_poet.errors import BadInput

REMEDY = f"create it in the Kubeflow UI or with --create-experiment; or name another in cluster.experiment or {PREFIX}EXPERIMENT"


def find_experiment(client: kfp.Client, connection: Connection, *, create: bool = False) -> str:
    """The id of the connection's experiment.

    Raises:
        BadInput: there is none of that name, or it is in the archive.
        ClusterError: the namespace is not ours, or the token is refused.
    """
    name = connection.experiment
    found = client.list_experiments(namespace=connection.namespace, filter=named(name)).experiments or []
    if not found and create:
        with quietly():
            return str(client.create_experiment(name, namespace=connection.namespace).experiment_id)
    if not found:
        place = f" in namespace {connection.namespace}" if connection.namespace else ""
        raise BadInput(f"there is no such experiment{place}", where=f"experiment {name}", remedy=REMEDY)
    if found[0].storage_state == "ARCHIVED":
        raise BadInput("is in the archive", where=f"experiment {name}", remedy="restore it in the Kubeflow UI, or name another")
    return str(found[0].experiment_id)
