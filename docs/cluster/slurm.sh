#!/bin/bash
# A Ray cluster of a Slurm job's nodes, on whose first node the pipeline runs: sbatch docs/cluster/slurm.sh
# The project's folder, with its .venv, lies on a file system that all nodes share. params.yaml says machine.engine: ray.
#SBATCH --job-name=mask-gender-age
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --exclusive
#SBATCH --time=12:00:00
set -euo pipefail
export PATH=$PWD/.venv/bin:$PATH RAY_USAGE_STATS_ENABLED=0
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export RAY_ADDRESS=$head:6379 RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))')  # who has it may run code on all nodes
export RAY_AUTH_TOKEN

# Starts Ray on every node, runs the command on the first one once all are there, and stops Ray when it ends.
srun ray symmetric-run --address "$RAY_ADDRESS" --min-nodes "$SLURM_JOB_NUM_NODES" -- \
    make repro JOBS="${JOBS:-$SLURM_JOB_NUM_NODES}"
