"""The file store in a bucket of an S3. The extra `s3` brings the library, and nothing else imports this package."""
