-- the answer
WITH index AS (
  SELECT MIN(files.collection_id) AS collection_id,
    MIN(files.PatientID) AS PatientID,
    files.SeriesInstanceUID,
    MIN(files.StudyInstanceUID) AS StudyInstanceUID,
    COUNT(*) AS instanceCount,
    SUM(CAST(files.instance_size AS INT64)) AS carrel_bytes
  FROM `bigquery-public-data.idc_v25.dicom_all` AS files
  GROUP BY files.SeriesInstanceUID
),
parted AS (
  SELECT * EXCEPT (carrel_draw), CASE WHEN carrel_draw < 3152519739159347 THEN 'train' WHEN carrel_draw < 4053239664633446 THEN 'val' ELSE 'test' END AS split FROM (
    SELECT *, CAST(CONCAT('0x', SUBSTR(TO_HEX(MD5(ARRAY_TO_STRING(['split', '3', collection_id, PatientID], CHR(31)))), 1, 13)) AS INT64) AS carrel_draw FROM index
  )
)
SELECT COUNT(DISTINCT collection_id) AS collections,
  COUNT(DISTINCT ARRAY_TO_STRING([collection_id, PatientID], CHR(31))) AS amount_patients,
  COUNT(DISTINCT StudyInstanceUID) AS amount_studies, COUNT(*) AS amount_series,
  IFNULL(SUM(instanceCount), 0) AS amount_instances, IFNULL(SUM(carrel_bytes), 0) AS amount_bytes
FROM parted;
