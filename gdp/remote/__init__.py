"""Files that lie elsewhere than on this machine's disks, by fsspec: s3://, gs://, sftp:// ..."""
